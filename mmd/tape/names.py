"""What tape files are called."""

SUFFIX = ".tape.parquet"
