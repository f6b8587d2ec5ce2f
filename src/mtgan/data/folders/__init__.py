"""What a folder of images says of them: files, splits, and labels by folders and by tables."""
