"""Runs the stages in order; decides where and in what pieces."""
