"""What a recipe says against what a source prints: no runs, no statistics."""

from typing import TYPE_CHECKING

from mtgan.reproduction.rules import CONTRADICTED, HOLDS, RULES, Finding, undecided
from mtgan.reproduction.schema import Asks

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material


class AsPrinted:
    """Whether every fact that the form has drawn beside the source's is the same."""

    options = Asks
    least = 0

    def judge(self, options: Asks, material: "Material") -> Finding:
        odd = [fact for fact in material.facts if fact.ours != fact.source]
        if not material.facts:
            return undecided("nothing is drawn beside what the source prints")
        if not odd:
            count = len(material.facts)
            said = "the value is" if count == 1 else f"all {count} values are"
            return Finding(HOLDS, f"{said} as printed")
        shown = "; ".join(f"{fact.name}: {fact.ours} against {fact.source}" for fact in odd)
        return Finding(CONTRADICTED, f"not as printed: {shown}")


RULES.register("as-printed")(AsPrinted())
