"""The functions of the reference topology, as a pipeline author would write them.

``streams.yaml`` names them under ``call``; they see schema objects and no Redis.
"""
