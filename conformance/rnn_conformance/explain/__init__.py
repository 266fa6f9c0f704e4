"""Why an implementation fails: which known bug computes the very same, or where it goes wrong."""
