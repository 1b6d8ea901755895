"""Procedural fixed-camera scenes whose truth is known exactly for every second."""

from vigil_recipe.world.episode import Episode, Kind, Span, Split, make_episode
from vigil_recipe.world.render import render

__all__ = ["Episode", "Kind", "Span", "Split", "make_episode", "render"]
