"""Clients, servers and files for exported models."""
