package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"lamplighter/devices/registry"
	"lamplighter/simulators/fleet"
)

// demoAreas takes the districts, streets and communities of the simulated city
// into a census that has no areas yet; what people have changed there stays.
func demoAreas(ctx context.Context, census *registry.Registry, areas []fleet.Area) error {
	there, err := census.Areas(ctx, registry.AreaFilter{Limit: 1})
	if err != nil || len(there) > 0 {
		return err
	}
	text, err := areasGeoJSON(areas)
	if err != nil {
		return fmt.Errorf("areas: %w", err)
	}
	_, err = census.ImportAreas(ctx, bytes.NewReader(text), "demo", registry.GeoJSON)
	return err
}

// areasGeoJSON is a FeatureCollection of Polygons as the census imports it.
func areasGeoJSON(areas []fleet.Area) ([]byte, error) {
	features := make([]map[string]any, len(areas))
	for i, a := range areas {
		ring := make([][2]float64, len(a.Outline))
		for j, p := range a.Outline {
			ring[j] = [2]float64{p.Lon, p.Lat}
		}
		features[i] = map[string]any{
			"type":       "Feature",
			"properties": map[string]string{"code": string(a.Code), "name": a.Name},
			"geometry":   map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}},
		}
	}
	return json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
}
