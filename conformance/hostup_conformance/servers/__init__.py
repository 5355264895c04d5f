"""Servers of the endpoint: the mock, a real guest agent, and respx routers. They do not know the rules."""
