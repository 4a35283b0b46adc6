"""A folder for PYTHONPATH: all that can be imported from it is this very copy of gilstudy."""
