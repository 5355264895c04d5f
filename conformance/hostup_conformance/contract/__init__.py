"""What is HostUp's own: paths, targets, what a request asks for, what may be sent, and the rules. It sends nothing."""
