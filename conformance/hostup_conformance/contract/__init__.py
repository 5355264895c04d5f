"""What HostUp's endpoint asks: paths, target, what a request asks for, safety, and the rules. It sends nothing."""
