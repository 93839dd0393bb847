package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// prefix opens every environment variable that is ours.
const prefix = "LAMPLIGHTER_"

// reserved are variables that tests and vendors use for other ends.
var reserved = [...]string{"LAMPLIGHTER_TEST_", "LAMPLIGHTER_VECTORS", "LAMPLIGHTER_CHILD_"}

// overlay sets the keys that stand in the environment. A variable of ours that
// names no key is an error: it would be a typo that nobody notices.
func overlay(environ []string, c *Config) error {
	for _, kv := range environ {
		name, val, _ := strings.Cut(kv, "=")
		key, ok := strings.CutPrefix(name, prefix)
		if !ok || isReserved(name) {
			continue
		}
		f, ok := find(reflect.ValueOf(c).Elem(), strings.ToLower(key))
		if !ok {
			return fmt.Errorf("environment: %s names no key of the configuration", name)
		}
		if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.String {
			f.Set(reflect.ValueOf(strings.Split(val, ",")))
			continue
		}
		if err := yaml.Unmarshal([]byte(val), f.Addr().Interface()); err != nil {
			return fmt.Errorf("environment: %s=%q: %w", name, val, err)
		}
	}
	return nil
}

func isReserved(name string) bool {
	for _, r := range reserved {
		if strings.HasPrefix(name, r) {
			return true
		}
	}
	return false
}

// find follows key, its parts joined by underscores, into v.
func find(v reflect.Value, key string) (reflect.Value, bool) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		if tag == ",inline" {
			if f, ok := find(v.Field(i), key); ok {
				return f, true
			}
			continue
		}
		if tag == key {
			return v.Field(i), true
		}
		if rest, ok := strings.CutPrefix(key, tag+"_"); ok && tag != "" {
			if f, ok := find(v.Field(i), rest); ok {
				return f, true
			}
		}
	}
	return reflect.Value{}, false
}
