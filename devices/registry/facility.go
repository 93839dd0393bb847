package registry

import "lamplighter/devices"

// Facility is one row of the census. Its texts are valid UTF-8 without control
// characters other than line feed and tab.
type Facility struct {
	ID          devices.FacilityID `json:"id" cbor:"1,keyasint"`
	Device      devices.DeviceID   `json:"device" cbor:"2,keyasint,omitempty"`
	Kind        devices.Kind       `json:"kind" cbor:"3,keyasint,omitempty"`
	Component   string             `json:"component,omitempty" cbor:"4,keyasint,omitempty"` // 16 digits: 6 county (GB/T 2260), 2 class, 2 subclass, 6 serial
	Name        string             `json:"name" cbor:"5,keyasint,omitempty"`
	Lon         float64            `json:"lon" cbor:"6,keyasint,omitempty"` // WGS84; 0,0 with HasPlace false
	Lat         float64            `json:"lat" cbor:"7,keyasint,omitempty"`
	HasPlace    bool               `json:"has_place" cbor:"8,keyasint,omitempty"`
	Area        devices.AreaCode   `json:"area,omitempty" cbor:"9,keyasint,omitempty"`
	Cabinet     string             `json:"cabinet,omitempty" cbor:"10,keyasint,omitempty"`
	Circuit     string             `json:"circuit,omitempty" cbor:"11,keyasint,omitempty"`
	Vendor      string             `json:"vendor,omitempty" cbor:"12,keyasint,omitempty"`
	Model       string             `json:"model,omitempty" cbor:"13,keyasint,omitempty"`
	ExpectS     int64              `json:"expect_s,omitempty" cbor:"14,keyasint,omitempty"`   // seconds between messages
	InCharge    string             `json:"in_charge,omitempty" cbor:"15,keyasint,omitempty"`  // 主管
	Owner       string             `json:"owner,omitempty" cbor:"16,keyasint,omitempty"`      // 权属
	Maintainer  string             `json:"maintainer,omitempty" cbor:"17,keyasint,omitempty"` // 养护
	Installed   string             `json:"installed,omitempty" cbor:"18,keyasint,omitempty"`  // YYYY-MM-DD
	Condition   string             `json:"condition,omitempty" cbor:"19,keyasint,omitempty"`  // intact, damaged, missing, retired
	Gateway     devices.DeviceID   `json:"gateway,omitempty" cbor:"20,keyasint,omitempty"`
	Provisional bool               `json:"provisional,omitempty" cbor:"21,keyasint,omitempty"` // enrolled by itself, not yet adopted
	Road        string             `json:"road,omitempty" cbor:"-"`                            // its name, as the city writes it
	RoadClass   string             `json:"road_class,omitempty" cbor:"-"`                      // expressway, main, secondary, branch or ""
	Lamps       int64              `json:"lamps,omitempty" cbor:"-"`                           // how many it stands for in the lighting figures; 0 = not said
	Feeder      string             `json:"feeder,omitempty" cbor:"23,keyasint,omitempty"`      // 馈线: supplies it; of a lamp without one, that of its cabinet's row holds
	Timetable   string             `json:"timetable,omitempty" cbor:"24,keyasint,omitempty"`   // when it should be on, see package timetable; "" = as its circuit, else its cabinet, else by the sun
	Supply      string             `json:"supply,omitempty" cbor:"25,keyasint,omitempty"`      // always, or switched: without power outside of the timetable; "" = as its circuit, else its cabinet, else not known
	Limits      map[string]float64 `json:"limits,omitempty" cbor:"22,keyasint,omitempty"`      // by channel
	Updated     int64              `json:"updated" cbor:"-"`                                   // Unix ms
}

// Entry is what the way of a reading needs to know of a device.
type Entry struct {
	Facility     devices.FacilityID
	Kind         devices.Kind
	PartitionKey string // the cabinet where it hangs on one, else the facility
	Gateway      devices.DeviceID
	Provisional  bool
}

// Key is the partition key of a facility: its cabinet, else itself.
func (f *Facility) Key() string { return keyOf(f.Cabinet, f.ID) }

func keyOf(cabinet string, id devices.FacilityID) string {
	if cabinet != "" {
		return cabinet
	}
	return string(id)
}

// deviceNamed is the device of a facility that names no other.
func deviceNamed(id devices.FacilityID) devices.DeviceID { return devices.DeviceID(id) }
