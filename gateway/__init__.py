"""The FastAPI application: public API, authentication, limits, errors."""
