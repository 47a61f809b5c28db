"""A settings file walked through as text: what callers hear, which keys they have, and where each leads."""

from controller.rehearse.catalogue import Catalogue, CatalogueError, read_catalogue
from controller.rehearse.findings import Concern, Worry, concerns
from controller.rehearse.path import walk_path
from controller.rehearse.render import told, told_path
from controller.rehearse.script import Scene
from controller.rehearse.tree import Step, trees

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Concern",
    "Scene",
    "Step",
    "Worry",
    "concerns",
    "read_catalogue",
    "told",
    "told_path",
    "trees",
    "walk_path",
]
