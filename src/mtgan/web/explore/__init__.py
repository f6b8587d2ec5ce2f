"""The page of `mtgan explore`: a generator under one's hands, in a browser.

The page is one HTML file without anything from outside. Its pictures come from the generator as
ONNX within the page, or from the server that sent it.
"""
