"""The Python engine: PyTorch's compilers that exist in Python only.

The twin of src/engine (protocol, charges, sample, serve) and an engine built with it.
"""
