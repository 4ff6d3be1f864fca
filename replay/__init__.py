"""Recording -> frames on a virtual clock."""
