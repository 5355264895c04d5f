"""Servers of the endpoint: the mock, one with a real guest agent, respx routers. They must not know the rules."""
