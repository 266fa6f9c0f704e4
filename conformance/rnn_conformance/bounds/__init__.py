"""How far from the exact value a right implementation can be, and what is outside."""
