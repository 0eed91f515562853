"""The four MCP servers, the client that speaks to them, and the gateway that mounts and guards them.

Tools here make one call down and give a typed answer. They decide nothing themselves, and nothing
here may import from `graphs` or above.
"""
