package devices

// ItemType is what an Item holds.
type ItemType uint8

// The types of item. They are record types of the log's format: never renumber.
const (
	ItemUplink   ItemType = iota + 1 // Uplink, and either Message or Refusal
	ItemCensus                       // Control is a JSON array of census changes (registry.Change)
	ItemRuleSet                      // Control is a rule file that was switched on
	ItemWindow                       // Control is a maintenance window
	ItemLink                         // Control says whether a way in is up (rules.Link)
	ItemStanding                     // Control is what another partition knew of a facility (a rules.Letter, as the next two)
	ItemShare                        // Control is how many members of a cause are bad in another partition
	ItemCause                        // Control is how a cause of several partitions stands
)

// Item is one record of the log after decoding.
type Item struct {
	Type    ItemType
	Uplink  Uplink   // as received; Payload is valid until the batch is released
	Message *Message // of an uplink; when it was refused only Device, Received and Seq are set
	Refusal *Refusal // nil if it was taken
	Control []byte
}

// Batch is one frame of one partition, decoded, its items in the order of the
// log. Consumers see every batch of a partition in ascending Seq; after a crash
// they see some again.
type Batch struct {
	Partition int
	Seq       uint64 // of the frame in its partition, ascending
	Wall      int64  // Unix ms when the frame was written; never runs back within a partition
	Items     []Item // empty in a frame that only tells the time
}
