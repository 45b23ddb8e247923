"""`evolve` as most tests call it: with the recipe's fields beside its own parameters."""

from dataclasses import fields, replace

import ga_ann
from ga_ann import Recipe
from ga_ann.evolution import find_recipe

FIELDS = [field.name for field in fields(Recipe)]


def evolve(X, y, *, recipe="default", **options):
    changes = {name: options.pop(name) for name in FIELDS if name in options}
    return ga_ann.evolve(X, y, recipe=replace(find_recipe(recipe), **changes), **options)
