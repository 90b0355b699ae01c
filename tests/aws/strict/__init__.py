"""Corrections that make moto answer as AWS does, where a deploy tool can tell."""
