"""Procedural fixed-camera scenes whose truth is known exactly for every second."""

from vigil_recipe.world.episode import Episode, Kind, Span, Split, Stage, make_episode, stream
from vigil_recipe.world.look import AS_DRAWN, Robustness
from vigil_recipe.world.render import render

__all__ = ["AS_DRAWN", "Episode", "Kind", "Robustness", "Span", "Split", "Stage", "make_episode", "render", "stream"]
