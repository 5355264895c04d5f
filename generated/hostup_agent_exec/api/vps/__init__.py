"""The operations with this tag."""
