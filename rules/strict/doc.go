// Package strict reads YAML files that people write: rules, tests of rules,
// definitions of rates. It gathers everything that is wrong with a file before
// it gives up, each with file, line and column, what was found and what is
// wanted. It knows nothing of what the files mean.
package strict
