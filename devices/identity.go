package devices

import "fmt"

// DeviceID names what speaks MQTT: 1 to 64 characters of [A-Za-z0-9_.:-].
type DeviceID string

// FacilityID names what the city owns, in the same alphabet as [DeviceID].
// Where the census says nothing else, a device's facility bears its name.
type FacilityID string

// MaxIDLen is the longest DeviceID and FacilityID in bytes.
const MaxIDLen = 64

// ParseDeviceID checks s against the alphabet and length of a DeviceID.
func ParseDeviceID(s string) (DeviceID, error) {
	if err := checkID(s); err != nil {
		return "", fmt.Errorf("device id %q: %w", clip(s, 80), err)
	}
	return DeviceID(s), nil
}

// ParseFacilityID checks s against the alphabet and length of a FacilityID.
func ParseFacilityID(s string) (FacilityID, error) {
	if err := checkID(s); err != nil {
		return "", fmt.Errorf("facility id %q: %w", clip(s, 80), err)
	}
	return FacilityID(s), nil
}

func checkID(s string) error {
	if s == "" {
		return fmt.Errorf("is empty, want 1 to %d characters", MaxIDLen)
	}
	if len(s) > MaxIDLen {
		return fmt.Errorf("has %d characters, want at most %d", len(s), MaxIDLen)
	}
	for i := range len(s) {
		if !idByte(s[i]) {
			return fmt.Errorf("has %q at position %d, want only letters, digits and _ . : -", s[i], i+1)
		}
	}
	return nil
}

func idByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == '.' || c == ':' || c == '-'
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// Kind is what sort of facility a thing is.
type Kind uint8

// The kinds. A cabinet and a circuit are facilities of kind Streetlight.
const (
	KindUnknown Kind = iota
	Manhole
	Streetlight
	Bridge
)

var kindNames = [...]string{"unknown", "manhole", "streetlight", "bridge"}

// String is the name used in files, the API and as a metric label.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind reads what String writes.
func ParseKind(s string) (Kind, error) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), nil
		}
	}
	return KindUnknown, fmt.Errorf("kind %q: want manhole, streetlight or bridge", clip(s, 40))
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's name.
func (k *Kind) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKind(string(b))
	return err
}
