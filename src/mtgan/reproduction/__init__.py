"""The sources' figures, tables, algorithms and claims: what answers each, and what came of it.

The index (`mtgan.reproduction.index`) has an entry for each of them in a YAML file per document. An
entry names a study, how its figure or table is drawn (`mtgan.reproduction.forms`), and the rule
fixed beforehand by which its claim is judged (`mtgan.reproduction.rules`). Studies do all training.
"""
