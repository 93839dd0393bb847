// Package lighting keeps the account of the city's lamps: the observable intact
// rate (可感知完好率) and the lit rate (亮灯率), each lamp-night in one of four
// buckets (intact, faulty, unknown, excluded), so that a figure survives an audit.
//
// The [Ledger] takes down, in the transaction of the tickets, when lamps did not
// stand well; [Book] closes a night after its dawn, sums it up by area, cabinet
// and road, opens tickets on areas below their target, and lists the lamps behind
// each figure. What a figure means says a [Definition]. It never judges a reading
// itself, and never asks a store.
package lighting
