// SPDX-License-Identifier: Apache-2.0
//! entente/plugin.h of ABI 1.0 in Rust: the same names in the same order. What they mean (units, ownership, null, threads,
//! errors) is said in the header alone. Kept by hand; examples/plugin-rust is tested against the header, member by member.
#![allow(non_camel_case_types, dead_code)]

use std::os::raw::{c_char, c_int, c_void};

// C's enums of the header are 32 bits wide; those that a fact has in a byte are u8 here.
pub type ent_fact = u32;
pub type ent_frame = u32;
pub type ent_id_kind = u32;
pub type ent_log_level = u32;
pub type ent_opt_type = u32;
pub type ent_status = i32;

pub const ENT_FEED_PADDING: usize = 64;
pub const ENT_NO_COLUMN: u32 = u32::MAX;
pub const ENT_NO_OFFSET: i16 = i16::MIN;
pub const ENT_PLUGIN_MAGIC: u32 = 0x31544e45;
pub const ENT_PLUGIN_MAJOR: u32 = 1;
pub const ENT_PLUGIN_MINOR: u32 = 0;

pub const ENT_DECODER_RESTATES: u32 = 1 << 0;
pub const ENT_DECODER_ANALYTICS: u32 = 1 << 1;

pub const ENT_HAS_GROSS: u64 = 1 << 0;
pub const ENT_HAS_DISCOUNT: u64 = 1 << 1;
pub const ENT_HAS_SHIPPING: u64 = 1 << 2;
pub const ENT_HAS_TAX: u64 = 1 << 3;
pub const ENT_HAS_TOTAL: u64 = 1 << 4;
pub const ENT_HAS_REFUNDED: u64 = 1 << 5;
pub const ENT_HAS_DUE: u64 = 1 << 6;
pub const ENT_HAS_TAX_INCLUDED: u64 = 1 << 7;
pub const ENT_HAS_COST: u64 = 1 << 8;
pub const ENT_HAS_QUANTITY: u64 = 1 << 9;
pub const ENT_HAS_UNIT_PRICE: u64 = 1 << 10;
pub const ENT_HAS_NET: u64 = 1 << 11;
pub const ENT_HAS_AMOUNT: u64 = 1 << 12;
pub const ENT_HAS_VALUE: u64 = 1 << 13;
pub const ENT_HAS_ITEMS: u64 = 1 << 14;
pub const ENT_HAS_LOAD: u64 = 1 << 15;
pub const ENT_HAS_MINUTES: u64 = 1 << 16;
pub const ENT_HAS_HELD: u64 = 1 << 17;
pub const ENT_HAS_NEW: u64 = 1 << 18;
pub const ENT_HAS_ENGAGED: u64 = 1 << 19;

pub const ENT_ORDER_LINES_COMPLETE: u8 = 1 << 0;

pub const ENT_STEP_ITEM: u32 = 1 << 0;
pub const ENT_STEP_CART: u32 = 1 << 1;
pub const ENT_STEP_CHECKOUT: u32 = 1 << 2;
pub const ENT_STEP_SHIPPING: u32 = 1 << 3;
pub const ENT_STEP_PAYMENT: u32 = 1 << 4;
pub const ENT_STEP_PURCHASE: u32 = 1 << 5;

pub const ENT_ORDER: ent_fact = 1;
pub const ENT_LINE: ent_fact = 2;
pub const ENT_REFUND: ent_fact = 3;
pub const ENT_CART: ent_fact = 4;
pub const ENT_VISIT: ent_fact = 5;
pub const ENT_TOUCH: ent_fact = 6;
pub const ENT_CONTACT: ent_fact = 7;
pub const ENT_OBSERVATION: ent_fact = 8;
pub const ENT_ENTRY: ent_fact = 9;
pub const ENT_FACT_COUNT: ent_fact = 10;

pub const ENT_FRAME_BYTES: ent_frame = 0;
pub const ENT_FRAME_DELIMITED: ent_frame = 1;
pub const ENT_FRAME_JSONL: ent_frame = 2;
pub const ENT_FRAME_DOCUMENT: ent_frame = 3;

pub const ENT_ID_EMAIL: ent_id_kind = 0;
pub const ENT_ID_PHONE: ent_id_kind = 1;
pub const ENT_ID_CUSTOMER: ent_id_kind = 2;
pub const ENT_ID_COOKIE: ent_id_kind = 3;
pub const ENT_ID_STAFF: ent_id_kind = 4;

pub const ENT_LOG_DEBUG: ent_log_level = 0;
pub const ENT_LOG_INFO: ent_log_level = 1;
pub const ENT_LOG_WARNING: ent_log_level = 2;

pub const ENT_UPSERT: u8 = 0;
pub const ENT_RETRACT: u8 = 1;

pub const ENT_OPT_BOOL: ent_opt_type = 0;
pub const ENT_OPT_INT: ent_opt_type = 1;
pub const ENT_OPT_STR: ent_opt_type = 2;
pub const ENT_OPT_ENUM: ent_opt_type = 3;
pub const ENT_OPT_DURATION: ent_opt_type = 4;
pub const ENT_OPT_SECRET: ent_opt_type = 5;
pub const ENT_OPT_LIST: ent_opt_type = 6;
pub const ENT_OPT_MAP: ent_opt_type = 7;

pub const ENT_ORDER_SOLD: u8 = 0;
pub const ENT_ORDER_PENDING: u8 = 1;
pub const ENT_ORDER_QUOTE: u8 = 2;
pub const ENT_ORDER_CANCELLED: u8 = 3;
pub const ENT_ORDER_TEST: u8 = 4;

pub const ENT_ORIGIN_SHOP: u8 = 0;
pub const ENT_ORIGIN_ANALYTICS: u8 = 1;
pub const ENT_ORIGIN_DECLARED: u8 = 2;
pub const ENT_ORIGIN_BENCHMARK: u8 = 3;
pub const ENT_ORIGIN_FORECAST: u8 = 4;
pub const ENT_ORIGIN_RATE: u8 = 5;
pub const ENT_ORIGIN_COUNT: u8 = 6;

pub const ENT_REFUND_GOODS: u8 = 0;
pub const ENT_REFUND_SHIPPING: u8 = 1;
pub const ENT_REFUND_ADJUSTMENT: u8 = 2;

pub const ENT_OK: ent_status = 0;
pub const ENT_ENOMEM: ent_status = -1;
pub const ENT_ENOTFORMAT: ent_status = -2;
pub const ENT_EINTERNAL: ent_status = -3;
pub const ENT_ESTOP: ent_status = -4;
pub const ENT_EOPTION: ent_status = -5;

pub const ENT_TIME_NONE: u8 = 0;
pub const ENT_TIME_INSTANT: u8 = 1;
pub const ENT_TIME_LOCAL: u8 = 2;
pub const ENT_TIME_DATE: u8 = 3;
pub const ENT_TIME_MONTH: u8 = 4;

/// The host's side of one decoder instance; opaque.
#[repr(C)]
pub struct ent_ctx {
    _opaque: [u8; 0],
}

/// Reserved.
#[repr(C)]
pub struct ent_transport {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_str {
    pub p: *const c_char,
    pub n: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_id {
    pub b: [u8; 16],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_time {
    pub v: i64,
    pub offset_min: i16,
    pub kind: u8,
    pub reserved: [u8; 5],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_head {
    pub has: u64,
    pub place: u64,
    pub partner: ent_str,
    pub key: ent_str,
    pub version: ent_time,
    pub op: u8,
    pub reserved: [u8; 7],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_order {
    pub h: ent_head,
    pub at: ent_time,
    pub paid_at: ent_time,
    pub cancelled_at: ent_time,
    pub shipped_at: ent_time,
    pub promised_at: ent_time,
    pub delivered_at: ent_time,
    pub currency: [c_char; 4],
    pub status: u8,
    pub tax_included: u8,
    pub flags: u8,
    pub reserved: u8,
    pub gross: i64,
    pub discount: i64,
    pub shipping: i64,
    pub tax: i64,
    pub total: i64,
    pub refunded: i64,
    pub due: i64,
    pub customer: ent_id,
    pub agent: ent_id,
    pub channel: ent_str,
    pub country: ent_str,
    pub region: ent_str,
    pub campaign: ent_str,
    pub payment: ent_str,
    pub customer_kind: ent_str,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_line {
    pub h: ent_head,
    pub order_key: ent_str,
    pub parent_key: ent_str,
    pub sku: ent_str,
    pub product: ent_str,
    pub name: ent_str,
    pub category: ent_str,
    pub vendor: ent_str,
    pub currency: [c_char; 4],
    pub reserved: [u8; 4],
    pub quantity: i64,
    pub unit_price: i64,
    pub gross: i64,
    pub discount: i64,
    pub net: i64,
    pub shipping: i64,
    pub tax: i64,
    pub cost: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_refund {
    pub h: ent_head,
    pub order_key: ent_str,
    pub line_key: ent_str,
    pub reason: ent_str,
    pub at: ent_time,
    pub currency: [c_char; 4],
    pub kind: u8,
    pub reserved: [u8; 3],
    pub amount: i64,
    pub quantity: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_cart {
    pub h: ent_head,
    pub started_at: ent_time,
    pub updated_at: ent_time,
    pub recovered_at: ent_time,
    pub visitor: ent_id,
    pub order_key: ent_str,
    pub step: ent_str,
    pub content_hash: ent_str,
    pub channel: ent_str,
    pub currency: [c_char; 4],
    pub reserved: [u8; 4],
    pub value: i64,
    pub items: u32,
    pub reserved2: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_visit {
    pub h: ent_head,
    pub at: ent_time,
    pub until: ent_time,
    pub day: ent_time,
    pub visitor: ent_id,
    pub consent: u8,
    pub engaged: u8,
    pub is_new: u8,
    pub reserved: u8,
    pub steps: u32,
    pub pageviews: u32,
    pub purchases: u32,
    pub load_ms: u32,
    pub loads: u32,
    pub engaged_us: i64,
    pub channel: ent_str,
    pub source: ent_str,
    pub campaign: ent_str,
    pub country: ent_str,
    pub device: ent_str,
    pub landing: ent_str,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_touch {
    pub h: ent_head,
    pub at: ent_time,
    pub visitor: ent_id,
    pub order_key: ent_str,
    pub channel: ent_str,
    pub source: ent_str,
    pub campaign: ent_str,
    pub currency: [c_char; 4],
    pub reserved: [u8; 4],
    pub cost: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_contact {
    pub h: ent_head,
    pub at: ent_time,
    pub answered_at: ent_time,
    pub kind: ent_str,
    pub with: ent_str,
    pub subject: ent_str,
    pub held: u8,
    pub direction: u8,
    pub reserved: [u8; 2],
    pub minutes: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_observation {
    pub h: ent_head,
    pub from: ent_time,
    pub to: ent_time,
    pub metric: ent_str,
    pub dims: ent_str,
    pub unit: ent_str,
    pub who: ent_str,
    pub currency: [c_char; 4],
    pub origin: u8,
    pub scale: u8,
    pub grade: c_char,
    pub additive: u8,
    pub value: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_entry {
    pub h: ent_head,
    pub reg: ent_str,
    pub id: ent_str,
    pub state: ent_str,
    pub actor: ent_str,
    pub effective: ent_time,
    pub names: *const ent_str,
    pub values: *const ent_str,
    pub n: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_doc {
    pub size: u32,
    pub reserved: u32,
    pub name: ent_str,
    pub origin: ent_str,
    pub message_key: ent_str,
    pub arrived: ent_time,
    pub modified: ent_time,
    pub length: i64,
    pub header_names: *const ent_str,
    pub header_values: *const ent_str,
    pub n_headers: usize,
    pub companions: *const ent_str,
    pub n_companions: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_row {
    pub place: u64,
    pub line: u64,
    pub cell: *const ent_str,
    pub n: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_column {
    pub name: *const c_char,
    pub aliases: *const c_char,
    pub required: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_option {
    pub key: *const c_char,
    pub r#type: ent_opt_type,
    pub required: c_int,
    pub preset: *const c_char,
    pub choices: *const *const c_char,
    pub doc: *const c_char,
    pub item: *const ent_option,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_value {
    pub r#type: u8,
    pub set: u8,
    pub reserved: [u8; 6],
    pub i: i64,
    pub s: ent_str,
    pub n: usize,
    pub keys: *const ent_str,
    pub items: *const ent_value,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_host {
    pub size: u32,
    pub minor: u32,
    pub push: unsafe extern "C" fn(*mut ent_ctx, ent_fact, *const c_void, usize, usize) -> ent_status,
    pub reject: unsafe extern "C" fn(*mut ent_ctx, u64, u32, *const c_char),
    pub skip: unsafe extern "C" fn(*mut ent_ctx, u64, *const c_char),
    pub error: unsafe extern "C" fn(*mut ent_ctx, u64, u32, *const c_char, *const c_char) -> ent_status,
    pub identity: unsafe extern "C" fn(*mut ent_ctx, ent_id_kind, ent_str) -> ent_id,
    pub covers: unsafe extern "C" fn(*mut ent_ctx, ent_fact, ent_time, ent_time, c_int),
    pub slice: unsafe extern "C" fn(*mut ent_ctx, ent_str, c_int),
    pub cursor: unsafe extern "C" fn(*mut ent_ctx, *const c_char, ent_str),
    pub log: unsafe extern "C" fn(*mut ent_ctx, c_int, *const c_char),
    pub money: unsafe extern "C" fn(ent_str, c_char, c_char, *mut i64) -> c_int,
    pub time: unsafe extern "C" fn(ent_str, *const c_char, *mut ent_time) -> c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_decoder {
    pub size: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub doc: *const c_char,
    pub version: *const c_char,
    pub system: *const c_char,
    pub facts: u64,
    pub frame: ent_frame,
    pub options: *const ent_option,
    pub columns: *const ent_column,
    pub probe: Option<unsafe extern "C" fn(ent_str, *const ent_doc, *mut *const c_char) -> c_int>,
    pub create:
        Option<unsafe extern "C" fn(*const ent_host, *mut ent_ctx, *const ent_value, *mut *mut c_void) -> ent_status>,
    pub wants: Option<unsafe extern "C" fn(*mut c_void) -> *const ent_column>,
    pub begin: Option<unsafe extern "C" fn(*mut c_void, *const ent_doc) -> ent_status>,
    pub row: Option<unsafe extern "C" fn(*mut c_void, *const ent_row) -> ent_status>,
    pub feed: Option<unsafe extern "C" fn(*mut c_void, ent_str, c_int) -> ent_status>,
    pub starts: Option<unsafe extern "C" fn(*mut c_void, *const ent_row, *const ent_row) -> c_int>,
    pub end: Option<unsafe extern "C" fn(*mut c_void) -> ent_status>,
    pub save: Option<
        unsafe extern "C" fn(
            *mut c_void,
            unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> c_int,
            *mut c_void,
        ) -> ent_status,
    >,
    pub load: Option<unsafe extern "C" fn(*mut c_void, ent_str) -> ent_status>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ent_plugin {
    pub magic: u32,
    pub major: u32,
    pub minor: u32,
    pub size: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub decoders: *const Option<&'static ent_decoder>,
    pub transports: *const *const ent_transport,
}

// Tables are constant: they may be read from any thread.
unsafe impl Sync for ent_column {}
unsafe impl Sync for ent_option {}
unsafe impl Sync for ent_decoder {}
unsafe impl Sync for ent_plugin {}
