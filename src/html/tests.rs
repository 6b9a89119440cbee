//! Whole pages through the rewriter.
