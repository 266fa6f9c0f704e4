"""What people and other programs see: the command, the pytest plugin, the reports."""
