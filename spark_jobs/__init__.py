"""The operations on text and tensors: one file each, all of their work inside the JVM."""
