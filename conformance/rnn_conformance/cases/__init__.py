"""The problems: their numbers, what is expected of them, and what makes one too easy."""
