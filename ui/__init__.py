"""What people see: the moderators' console and the users' pages. Server-rendered, no request to the outside.

A page is a route of `ui.access.Pages`: it declares who may open it, or it cannot be defined.
"""
