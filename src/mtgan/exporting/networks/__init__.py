"""The networks of a model that can be exported, one file each."""
