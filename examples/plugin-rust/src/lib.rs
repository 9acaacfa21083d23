// SPDX-License-Identifier: Apache-2.0
//! returns: the export of a returns desk, a row for each thing that came back. A plugin in Rust against the one C header, with
//! the standard library alone: the host's functions are called through its table, no panic crosses the border, and the only
//! memory is one small struct, so running out of it is ENT_ENOMEM and never an abort.

mod entente;

use entente::*;
use std::alloc::{alloc, dealloc, Layout};
use std::os::raw::{c_char, c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

/// A text as C has it.
macro_rules! c {
    ($text:expr) => {
        concat!($text, "\0").as_ptr() as *const c_char
    };
}

// ---- tables: what the host finds, checks and hands over ----

const RMA: usize = 0;
const ORDER: usize = 1;
const LINE: usize = 2;
const DATE: usize = 3;
const KIND: usize = 4;
const AMOUNT: usize = 5;
const PIECES: usize = 6;
const REASON: usize = 7;
const CELLS: usize = 8;

const fn column(name: *const c_char, aliases: *const c_char, required: c_int) -> ent_column {
    ent_column { name, aliases, required }
}

static COLUMNS: [ent_column; CELLS + 1] = [
    column(c!("rma"), c!("return no"), 1),
    column(c!("order"), c!("order no"), 1),
    column(c!("line"), null(), 0),
    column(c!("date"), null(), 1),
    column(c!("kind"), null(), 1),
    column(c!("amount"), c!("refunded"), 1),
    column(c!("pieces"), c!("qty"), 0),
    column(c!("reason"), null(), 0),
    column(null(), null(), 0),
];

const CURRENCY: usize = 0;

const NO_OPTION: ent_option = ent_option {
    key: null(),
    r#type: ENT_OPT_STR,
    required: 0,
    preset: null(),
    choices: null(),
    doc: null(),
    item: null(),
};

static OPTIONS: [ent_option; 2] = [
    ent_option {
        key: c!("currency"),
        preset: c!("EUR"),
        doc: c!("Currency that the desk pays back in, ISO 4217."),
        ..NO_OPTION
    },
    NO_OPTION,
];

// ---- the decoder ----

struct Returns {
    host: &'static ent_host,
    ctx: *mut ent_ctx,
    currency: [c_char; 4],
}

/// Why a record is none of ours or bad, and where: told to the host, and the file goes on.
enum Not {
    Ours(*const c_char),
    Good(usize, *const c_char),
}

/// The bytes of a cell; empty for one that the document has no column for.
unsafe fn bytes<'a>(cell: ent_str) -> &'a [u8] {
    if cell.p.is_null() {
        &[]
    } else {
        std::slice::from_raw_parts(cell.p as *const u8, cell.n)
    }
}

fn absent() -> ent_str {
    ent_str { p: null(), n: 0 }
}

/// Empty is absent.
fn some(cell: ent_str) -> ent_str {
    if cell.n == 0 {
        absent()
    } else {
        cell
    }
}

fn no_time() -> ent_time {
    ent_time { v: 0, offset_min: ENT_NO_OFFSET, kind: ENT_TIME_NONE, reserved: [0; 5] }
}

impl Returns {
    unsafe fn money(&self, cell: ent_str, decimal: u8, group: u8) -> Option<i64> {
        let mut micro = 0;
        match (self.host.money)(cell, decimal as c_char, group as c_char, &mut micro) {
            0 => Some(micro),
            _ => None,
        }
    }

    unsafe fn refund(&self, row: &ent_row, cell: &[ent_str]) -> Result<ent_refund, Not> {
        let kind = match bytes(cell[KIND]) {
            b"goods" => ENT_REFUND_GOODS,
            b"postage" => ENT_REFUND_SHIPPING,
            b"goodwill" => ENT_REFUND_ADJUSTMENT,
            b"exchange" => return Err(Not::Ours(c!("an exchange: nothing is paid back"))),
            _ => return Err(Not::Good(KIND, c!("kind is none of goods, postage, goodwill, exchange"))),
        };
        if cell[RMA].n == 0 || cell[RMA].n > 255 {
            return Err(Not::Good(RMA, c!("no number of the return, or one of more than 255 bytes")));
        }
        if cell[ORDER].n == 0 {
            return Err(Not::Good(ORDER, c!("no order")));
        }
        let mut at = no_time();
        if (self.host.time)(cell[DATE], c!("%d.%m.%Y"), &mut at) != 0 {
            return Err(Not::Good(DATE, c!("not a date like 31.12.2024")));
        }
        let amount = match self.money(cell[AMOUNT], b',', b'.') {
            Some(micro) if micro >= 0 => micro,
            _ => return Err(Not::Good(AMOUNT, c!("not an amount, or a negative one"))),
        };
        let mut has = ENT_HAS_AMOUNT;
        let mut quantity = 0;
        if cell[PIECES].n > 0 {
            // money() counts in millionths, pieces are counted in thousandths
            quantity = match self.money(cell[PIECES], b',', 0) {
                Some(micro) if micro % 1000 == 0 => micro / 1000,
                _ => return Err(Not::Good(PIECES, c!("not a number of pieces"))),
            };
            has |= ENT_HAS_QUANTITY;
        }
        Ok(ent_refund {
            h: ent_head {
                has,
                place: row.place,
                partner: absent(),
                key: cell[RMA],
                version: no_time(),
                op: ENT_UPSERT,
                reserved: [0; 7],
            },
            order_key: cell[ORDER],
            line_key: some(cell[LINE]),
            reason: some(cell[REASON]),
            at,
            currency: self.currency,
            kind,
            reserved: [0; 3],
            amount,
            quantity,
        })
    }

    unsafe fn row(&self, row: &ent_row) -> ent_status {
        let cell = std::slice::from_raw_parts(row.cell, row.n);
        match self.refund(row, cell) {
            Ok(r) => {
                let size = std::mem::size_of::<ent_refund>();
                (self.host.push)(self.ctx, ENT_REFUND, &r as *const ent_refund as *const c_void, size, 1)
            }
            Err(Not::Ours(why)) => {
                (self.host.skip)(self.ctx, row.place, why);
                ENT_OK
            }
            Err(Not::Good(column, why)) => {
                (self.host.reject)(self.ctx, row.place, column as u32, why);
                ENT_OK
            }
        }
    }
}

// ---- the border: C functions, and no panic leaves them ----

fn guarded(work: impl FnOnce() -> ent_status) -> ent_status {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(ENT_EINTERNAL)
}

unsafe extern "C" fn create(
    host: *const ent_host,
    ctx: *mut ent_ctx,
    options: *const ent_value,
    this: *mut *mut c_void,
) -> ent_status {
    guarded(|| {
        let host = &*host; // constant, and outlives the plugin
        let code = bytes((*options.add(CURRENCY)).s);
        if code.len() != 3 {
            (host.error)(ctx, 0, ENT_NO_COLUMN, c!("currency is no code of three letters"), c!("write EUR"));
            return ENT_EOPTION;
        }
        let made = alloc(Layout::new::<Returns>()) as *mut Returns;
        if made.is_null() {
            return ENT_ENOMEM;
        }
        let currency = [code[0] as c_char, code[1] as c_char, code[2] as c_char, 0];
        made.write(Returns { host, ctx, currency });
        *this = made as *mut c_void;
        ENT_OK
    })
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    if !this.is_null() {
        dealloc(this as *mut u8, Layout::new::<Returns>());
    }
}

unsafe extern "C" fn begin(_this: *mut c_void, _doc: *const ent_doc) -> ent_status {
    ENT_OK // nothing is carried from one document to the next, nor from row to row
}

unsafe extern "C" fn row(this: *mut c_void, row: *const ent_row) -> ent_status {
    guarded(|| (*(this as *const Returns)).row(&*row))
}

unsafe extern "C" fn end(_this: *mut c_void) -> ent_status {
    ENT_OK // nothing was held back
}

unsafe extern "C" fn probe(head: ent_str, _doc: *const ent_doc, why: *mut *const c_char) -> c_int {
    let yes = bytes(head).starts_with(b"rma;order;");
    *why = if yes { c!("the header of a returns desk") } else { c!("the header does not begin with rma;order;") };
    if yes {
        90
    } else {
        0
    }
}

static DECODER: ent_decoder = ent_decoder {
    size: std::mem::size_of::<ent_decoder>() as u32,
    flags: 0,
    name: c!("returns"),
    doc: c!("The export of a returns desk, a row for each thing that came back."),
    version: c!("1"),
    system: c!("returns"),
    facts: 1 << ENT_REFUND,
    frame: ENT_FRAME_DELIMITED,
    options: OPTIONS.as_ptr(),
    columns: COLUMNS.as_ptr(),
    probe: Some(probe),
    create: Some(create),
    wants: None,
    begin: Some(begin),
    row: Some(row),
    feed: None,
    starts: None, // every row is a group of its own
    end: Some(end),
    save: None,
    load: None,
    destroy: Some(destroy),
};

static DECODERS: [Option<&ent_decoder>; 2] = [Some(&DECODER), None];

/// The one symbol that a plugin exports.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static ent_plugin_entry: ent_plugin = ent_plugin {
    magic: ENT_PLUGIN_MAGIC,
    major: ENT_PLUGIN_MAJOR,
    minor: ENT_PLUGIN_MINOR,
    size: std::mem::size_of::<ent_plugin>() as u32,
    name: c!("returns"),
    version: c!("1.0.0"),
    decoders: DECODERS.as_ptr(),
    transports: null(),
};
