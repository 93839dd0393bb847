package config

import (
	"reflect"
	"testing"
)

func TestTheExampleIsTheDefault(t *testing.T) {
	got, err := Load("../../deploy/lamplighter.example.yml", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Census.Bounds, want.MQTT.Brokers, want.Rules.Files, want.Pager = []float64{}, Brokers{}, []string{}, []PagerTarget{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example says\n%+v\nthe defaults are\n%+v", got, want)
	}
}
