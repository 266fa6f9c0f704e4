"""What is asked in each case, and what comes of it."""
