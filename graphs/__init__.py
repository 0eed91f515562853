"""The LangGraph state machines. They reach the world only by the MCP tools handed to them."""
