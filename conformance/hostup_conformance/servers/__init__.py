"""Servers of the endpoint: the mock, a real guest agent, and respx routers. They know none of the rules."""
