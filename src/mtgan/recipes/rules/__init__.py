"""Which parts go together: each rule is a function that returns a reason to refuse, or None.

Rules need only the recipe, and what its parts say of themselves (see mtgan.parts); what also
depends on the data (a level that it lacks, a resolution) is checked where networks are built.
"""

from mtgan.recipes.rules import conditioning, parts, tasks  # which register theirs
from mtgan.recipes.rules.base import RecipeWarning, check

__all__ = ["RecipeWarning", "check", "conditioning", "parts", "tasks"]
