"""Proof that every gradient of minigrad is torch's."""
