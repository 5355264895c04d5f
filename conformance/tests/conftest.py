"""What all tests of the suite share."""
