"""What a recipe says against what a source prints: no runs, no statistics."""

from typing import TYPE_CHECKING

from mtgan.reproduction.rules import CONTRADICTED, HOLDS, RULES, Finding
from mtgan.reproduction.schema import Asks

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material


class AsPrinted:
    """Whether every fact that the form has drawn beside the source's is the same."""

    options = Asks
    least = 0

    def judge(self, options: Asks, material: "Material") -> Finding:
        odd = [fact for fact in material.facts if fact.ours != fact.source]
        if not odd:
            return Finding(HOLDS, f"all {len(material.facts)} values are as printed")
        shown = "; ".join(f"{fact.name}: {fact.ours} against {fact.source}" for fact in odd)
        return Finding(CONTRADICTED, f"not as printed: {shown}")


RULES.register("as-printed")(AsPrinted())
