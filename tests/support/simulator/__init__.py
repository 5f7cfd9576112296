"""Servers that keep uv's releases, each speaking the dialect of one product.

No product is here: what is answered is what its documentation, its source or a run of it shows. All
of them hold the same catalogue of releases, so that one test can be asked of all.
"""
