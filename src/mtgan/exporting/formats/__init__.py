"""What a model can be exported into, one file each."""
