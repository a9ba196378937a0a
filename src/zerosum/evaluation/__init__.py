"""Evaluation: what each number says, under which protocol, how sure it is, and what real samples get in its place."""
