/* SPDX-License-Identifier: Apache-2.0
 *
 * What currencies are called: ISO 4217's codes as columns of wide tables, with those that the euro and others took the
 * place of; the series of the US Federal Reserve, whose names say which way they are quoted (DEXUSEU: dollars for a
 * euro); and the countries by which the Federal Reserve's tables go. */
#include "rates.h"

#include <stddef.h>

/* clang-format off */

/* code */
#define CODES(X) \
	X(AED) X(AFN) X(ALL) X(AMD) X(AOA) X(ARS) X(AUD) X(AWG) X(AZN) X(BAM) X(BBD) X(BDT) X(BGN) X(BHD) X(BIF) \
	X(BMD) X(BND) X(BOB) X(BRL) X(BSD) X(BTN) X(BWP) X(BYN) X(BZD) X(CAD) X(CDF) X(CHF) X(CLP) X(CNY) X(COP) \
	X(CRC) X(CUP) X(CVE) X(CZK) X(DJF) X(DKK) X(DOP) X(DZD) X(EGP) X(ERN) X(ETB) X(EUR) X(FJD) X(FKP) X(GBP) \
	X(GEL) X(GHS) X(GIP) X(GMD) X(GNF) X(GTQ) X(GYD) X(HKD) X(HNL) X(HTG) X(HUF) X(IDR) X(ILS) X(INR) X(IQD) \
	X(IRR) X(ISK) X(JMD) X(JOD) X(JPY) X(KES) X(KGS) X(KHR) X(KMF) X(KPW) X(KRW) X(KWD) X(KYD) X(KZT) X(LAK) \
	X(LBP) X(LKR) X(LRD) X(LSL) X(LYD) X(MAD) X(MDL) X(MGA) X(MKD) X(MMK) X(MNT) X(MOP) X(MRU) X(MUR) X(MVR) \
	X(MWK) X(MXN) X(MYR) X(MZN) X(NAD) X(NGN) X(NIO) X(NOK) X(NPR) X(NZD) X(OMR) X(PAB) X(PEN) X(PGK) X(PHP) \
	X(PKR) X(PLN) X(PYG) X(QAR) X(RON) X(RSD) X(RUB) X(RWF) X(SAR) X(SBD) X(SCR) X(SDG) X(SEK) X(SGD) X(SHP) \
	X(SLE) X(SOS) X(SRD) X(SSP) X(STN) X(SVC) X(SYP) X(SZL) X(THB) X(TJS) X(TMT) X(TND) X(TOP) X(TRY) X(TTD) \
	X(TWD) X(TZS) X(UAH) X(UGX) X(USD) X(UYU) X(UZS) X(VES) X(VND) X(VUV) X(WST) X(XAF) X(XCD) X(XOF) X(XPF) \
	X(YER) X(ZAR) X(ZMW) X(ZWG) X(ATS) X(BEF) X(CYP) X(DEM) X(EEK) X(ESP) X(FIM) X(FRF) X(GRD) X(HRK) X(IEP) \
	X(ITL) X(LTL) X(LVL) X(MTL) X(NLG) X(PTE) X(ROL) X(SIT) X(SKK) X(TRL) X(VEF) X(ZWL)

/* name of the series behind DEX (days) and EX (months), 1 of the first = x of the second */
#define SERIES(X) \
	X(USEU, EUR, USD) X(USUK, GBP, USD) X(USAL, AUD, USD) X(USNZ, NZD, USD) X(JPUS, USD, JPY) X(CAUS, USD, CAD) \
	X(CHUS, USD, CNY) X(SZUS, USD, CHF) X(MXUS, USD, MXN) X(KOUS, USD, KRW) X(BZUS, USD, BRL) X(INUS, USD, INR) \
	X(NOUS, USD, NOK) X(SDUS, USD, SEK) X(DNUS, USD, DKK) X(SIUS, USD, SGD) X(HKUS, USD, HKD) X(TAUS, USD, TWD) \
	X(THUS, USD, THB) X(MAUS, USD, MYR) X(SFUS, USD, ZAR) X(SLUS, USD, LKR)

/* clang-format on */

const ent_column rates__columns[] = {
	[COL_DATE] = {"Date", "TIME_PERIOD|observation_date|Time Period|Day|Month|Datum|valid_on", 1},
	[COL_FROM] = {"From", "From Currency|Source Currency|from_currency", 0},
	[COL_TO] = {"To", "To Currency|Target Currency|to_currency", 0},
	[COL_PAIR] = {"Pair", "Currency Pair|currency_pair|Symbol", 0},
	[COL_CODE] = {"Code", "Currency Code|currency_code|ISO|ISO Code", 0},
	[COL_CURRENCY] = {"Currency", NULL, 0},
	[COL_COUNTRY] = {"Country", NULL, 0},
	[COL_DENOMINATOR] = {"CURRENCY_DENOM", "Base|Base Currency|base_currency", 0},
	[COL_UNITS] = {"Amount", "Units|Multiplier", 0},
	[COL_RATE] = {"Rate", "Exchange rate|exchange_rate|OBS_VALUE|Value|Close|Mid", 0},
#define COLUMN(code) {#code, NULL, 0},
#define COLUMN_OF_SERIES(name, unit, currency) {"DEX" #name, "EX" #name, 0},
	CODES(COLUMN) SERIES(COLUMN_OF_SERIES){NULL, NULL, 0}};

static const rates_column wide[] = {
#define WIDE(code) {"", #code},
#define WIDE_OF_SERIES(name, unit, currency) {#unit, #currency},
	CODES(WIDE) SERIES(WIDE_OF_SERIES)};

size_t rates__wide_count(void) { return sizeof wide / sizeof *wide; }
const rates_column *rates__wide(size_t i) { return &wide[i]; }

int rates__code(ent_str s, char out[4]) {
	if (s.n != 3)
		return -1;
	for (int i = 0; i < 3; i++) {
		out[i] = (char)(text_lower(s.p[i]) - 32);
		if (out[i] < 'A' || out[i] > 'Z')
			return -1;
	}
	out[3] = 0;
	return 0;
}

/* As the Federal Reserve names them in H.10 and G.5. Venezuela is not among them: it took zeros off its currency three
 * times, and the table does not say which one it means. */
static const struct {
	const char *name, *code; /* name in lower case */
	int until;               /* the year in which the euro took its place, or 0 */
} countries[] = {
	{"australia", "AUD", 0},
	{"austria", "ATS", 2002},
	{"belgium", "BEF", 2002},
	{"brazil", "BRL", 0},
	{"canada", "CAD", 0},
	{"china", "CNY", 0},
	{"denmark", "DKK", 0},
	{"euro", "EUR", 0},
	{"finland", "FIM", 2002},
	{"france", "FRF", 2002},
	{"germany", "DEM", 2002},
	{"greece", "GRD", 2001},
	{"hong kong", "HKD", 0},
	{"india", "INR", 0},
	{"ireland", "IEP", 2002},
	{"italy", "ITL", 2002},
	{"japan", "JPY", 0},
	{"malaysia", "MYR", 0},
	{"mexico", "MXN", 0},
	{"netherlands", "NLG", 2002},
	{"new zealand", "NZD", 0},
	{"norway", "NOK", 0},
	{"portugal", "PTE", 2002},
	{"singapore", "SGD", 0},
	{"south africa", "ZAR", 0},
	{"south korea", "KRW", 0},
	{"spain", "ESP", 2002},
	{"sri lanka", "LKR", 0},
	{"sweden", "SEK", 0},
	{"switzerland", "CHF", 0},
	{"taiwan", "TWD", 0},
	{"thailand", "THB", 0},
	{"united kingdom", "GBP", 0},
	{"united states", "USD", 0},
};

int rates__currency(const rates *r, ent_str text, int64_t day, char out[4], const char **why) {
	for (size_t i = 0; i < r->n_names; i++)
		if (text_equal(r->names[i].written, text)) {
			memcpy(out, r->names[i].code, 4);
			return 0;
		}
	if (!rates__code(text, out))
		return 0;
	for (size_t i = 0; i < sizeof countries / sizeof *countries; i++) {
		if (!text_is_fold(text, countries[i].name))
			continue;
		if (countries[i].until && day >= text_civil(countries[i].until, 1, 1)) {
			*why = "this country has the euro by then: say in `names` which currency is meant";
			return -1;
		}
		memcpy(out, countries[i].code, 4);
		return 0;
	}
	*why = "not a currency that is known by this name: say in `names` which one it is";
	return -1;
}
