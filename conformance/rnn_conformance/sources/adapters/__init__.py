"""Adapters: one small file for each framework, which is imported inside it."""
