"""Builds the model folder that `screening.model` loads. The service never imports this package."""
