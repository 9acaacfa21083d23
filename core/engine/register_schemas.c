/* SPDX-License-Identifier: Apache-2.0
 *
 * The registers that ship, as tables; see registers.h. */
#include "engine/registers.h"

#include <string.h>

const char *const ent_register_audiences[] = {"both", "us", "confidential", NULL};
const char *const ent_register_types[] = {"text", "date", "time", "number", "yes or no", "one of", "pairs", NULL};

#define AUDIENCE                                                                                                       \
	{ "audience", ENT_REG_WORD, false, "both us confidential", "who may know of it, where that is not as usual here" }
#define END                                                                                                            \
	{ NULL, ENT_REG_TEXT, false, NULL, NULL }

/* clang-format off: a row for each field */
static const ent_register_field contacts[] = {
	{"at", ENT_REG_TIME, true, NULL, "when it took place, or was sent"},
	{"kind", ENT_REG_WORD, true, "meeting call mail reply visit", "what it was"},
	{"with", ENT_REG_TEXT, false, NULL, "who took part"},
	{"subject", ENT_REG_TEXT, false, NULL, "what it was about"},
	{"held", ENT_REG_BOOL, false, NULL, "a meeting that was planned took place"},
	{"direction", ENT_REG_WORD, false, "us them", "who began it"},
	{"answered_at", ENT_REG_TIME, false, NULL, "when the other side answered"},
	{"minutes", ENT_REG_NUMBER, false, NULL, "how long it took"},
	AUDIENCE,
	END};
static const ent_register_field claims[] = {
	{"text", ENT_REG_TEXT, true, NULL, "what was said, in their words"},
	{"who", ENT_REG_TEXT, false, NULL, "who said it"},
	{"metric", ENT_REG_TEXT, false, NULL, "the metric that it is about, as `entente metrics list` names it"},
	{"value", ENT_REG_NUMBER, false, NULL, "the figure that was promised"},
	{"currency", ENT_REG_TEXT, false, NULL, "of a value in money"},
	{"window", ENT_REG_TEXT, false, NULL, "the span that the figure is of: 28d, 12m"},
	{"said_on", ENT_REG_DATE, true, NULL, "the day on which it was said"},
	{"due", ENT_REG_DATE, false, NULL, "the day by which it should have come true"},
	AUDIENCE,
	END};
static const ent_register_field commitments[] = {
	{"text", ENT_REG_TEXT, true, NULL, "what was promised"},
	{"who", ENT_REG_WORD, true, "us them", "who promised it"},
	{"to", ENT_REG_TEXT, false, NULL, "to whom"},
	{"due", ENT_REG_DATE, false, NULL, "by when"},
	{"done_on", ENT_REG_DATE, false, NULL, "the day on which it was done"},
	AUDIENCE,
	END};
static const ent_register_field objectives[] = {
	{"text", ENT_REG_TEXT, true, NULL, "what is to be reached"},
	{"metric", ENT_REG_TEXT, false, NULL, "the metric that shows it"},
	{"direction", ENT_REG_WORD, false, "up down hold", "where the metric should go"},
	{"target", ENT_REG_NUMBER, false, NULL, "the figure to be reached"},
	{"due", ENT_REG_DATE, false, NULL, "by when"},
	AUDIENCE,
	END};
static const ent_register_field told[] = {
	{"about", ENT_REG_TEXT, true, NULL, "what was told: a metric, or a finding"},
	{"to", ENT_REG_TEXT, false, NULL, "to whom"},
	{"on", ENT_REG_DATE, true, NULL, "when"},
	{"grade", ENT_REG_WORD, false, "A B C D E F", "how sure it is: A audited, F hearsay"},
	AUDIENCE,
	END};
static const ent_register_field books[] = {
	{"year", ENT_REG_NUMBER, true, NULL, "the business year that the books are of"},
	{"revenue", ENT_REG_NUMBER, false, NULL, "of that year"},
	{"profit", ENT_REG_NUMBER, false, NULL, "before interest and tax"},
	{"assets", ENT_REG_NUMBER, false, NULL, "in all"},
	{"liabilities", ENT_REG_NUMBER, false, NULL, "in all"},
	{"current_assets", ENT_REG_NUMBER, false, NULL, "cash, stock and what is owed to them within a year"},
	{"current_liabilities", ENT_REG_NUMBER, false, NULL, "what they owe within a year"},
	{"retained_earnings", ENT_REG_NUMBER, false, NULL, "profits of all years that were kept"},
	{"equity", ENT_REG_NUMBER, false, NULL, "book value; assets less liabilities where it is not said"},
	{"declared_on", ENT_REG_DATE, false, NULL, "the day on which they gave them"},
	{"currency", ENT_REG_TEXT, false, NULL, "of the amounts; the partner's where it is not said"},
	AUDIENCE,
	END};
static const ent_register_field agreements[] = {
	{"name", ENT_REG_TEXT, true, NULL, "what it is called"},
	{"starts", ENT_REG_DATE, true, NULL, "the first day on which it holds"},
	{"ends", ENT_REG_DATE, false, NULL, "the last day; without it, until it is ended"},
	{"promises", ENT_REG_PAIRS, false, "numbers", "what it is to bring, by metric: revenue.net=120000; orders=900"},
	{"window", ENT_REG_TEXT, false, NULL, "the span that each promised figure is of: 365d"},
	{"currency", ENT_REG_TEXT, false, NULL, "of promises in money"},
	AUDIENCE,
	END};
static const ent_register_field terms[] = {
	{"agreement", ENT_REG_TEXT, false, NULL, "id of the agreement; without it, the term stands for itself"},
	{"title", ENT_REG_TEXT, true, NULL, "what it is called"},
	{"kind", ENT_REG_TEXT, true, NULL, "by which rules know it: commission.rate, check_in.every"},
	{"value", ENT_REG_NUMBER, false, NULL, "the figure; of one in tiers, what is paid below the first"},
	{"unit", ENT_REG_WORD, true, "% ratio days weeks months money count", "of value and of what the tiers give"},
	{"basis", ENT_REG_TEXT, false, NULL, "the metric that it rests on"},
	{"tiers", ENT_REG_PAIRS, false, "both", "from which basis on which value holds: 0=5; 10000=7"},
	{"reading", ENT_REG_WORD, false, "marginal retroactive", "a tier's value is for what lies in it, or for all; marginal where it is not said"},
	{"cap", ENT_REG_NUMBER, false, NULL, "the most that it amounts to"},
	{"currency", ENT_REG_TEXT, false, NULL, "of a value, tiers and a cap in money"},
	{"from", ENT_REG_DATE, false, NULL, "the first day on which it holds; without it, that of the agreement"},
	{"until", ENT_REG_DATE, false, NULL, "the last day"},
	{"agent", ENT_REG_TEXT, false, NULL, "for whom alone it holds"},
	AUDIENCE,
	END};
static const ent_register_field offers[] = {
	{"day", ENT_REG_DATE, true, NULL, "when it was made"},
	{"by", ENT_REG_WORD, true, "us them", "who made it"},
	{"package", ENT_REG_PAIRS, true, "texts", "the option offered for each issue: rate=7; exclusive=no"},
	{"note", ENT_REG_TEXT, false, NULL, "what was said with it"},
	END};
static const ent_register_field interests[] = {
	{"side", ENT_REG_WORD, true, "us them", "whose interest it is"},
	{"issue", ENT_REG_TEXT, true, NULL, "what is dealt about, as offers name it"},
	{"lever", ENT_REG_WORD, true, "money time rights risk", "what kind of issue it is"},
	{"swing", ENT_REG_NUMBER, true, NULL, "what the way from its worst to its best is worth, against the other issues: 0 to 100"},
	{"worst", ENT_REG_NUMBER, false, NULL, "the figure that is worth nothing to this side"},
	{"best", ENT_REG_NUMBER, false, NULL, "the figure that is worth all; between them it is linear"},
	{"steps", ENT_REG_PAIRS, false, "numbers", "options that are no figures, and the worth of each from 0 to 1: no=0; one year=0.6; yes=1"},
	{"options", ENT_REG_TEXT, false, NULL, "figures that can be offered, separated by ;"},
	END};
static const ent_register_field alternatives[] = {
	{"side", ENT_REG_WORD, true, "us them", "whose alternative to a deal it is"},
	{"name", ENT_REG_TEXT, true, NULL, "what they would do instead"},
	{"utility", ENT_REG_NUMBER, false, NULL, "its worth to them from 0 (worst in every issue) to 1 (best in every issue)"},
	{"package", ENT_REG_PAIRS, false, "texts", "or what it would bring, issue by issue, as an offer is written"},
	{"probability", ENT_REG_NUMBER, false, NULL, "that it can be had, from 0 to 1; 1 where it is not said"},
	END};
static const ent_register_field issues[] = {
	{"title", ENT_REG_TEXT, true, NULL, "what is wrong"},
	{"owner", ENT_REG_TEXT, false, NULL, "who sees to it"},
	{"opened", ENT_REG_DATE, true, NULL, "since when"},
	{"closed_on", ENT_REG_DATE, false, NULL, "when it was over"},
	AUDIENCE,
	END};
static const ent_register_field milestones[] = {
	{"title", ENT_REG_TEXT, true, NULL, "what is to be reached"},
	{"metric", ENT_REG_TEXT, true, NULL, "the metric that shows it"},
	{"value", ENT_REG_NUMBER, true, NULL, "the figure to be reached"},
	{"currency", ENT_REG_TEXT, false, NULL, "of a value in money"},
	{"window", ENT_REG_TEXT, false, NULL, "the span that the figure is of: 28d, 12m"},
	{"due", ENT_REG_DATE, true, NULL, "by when"},
	AUDIENCE,
	END};
/* clang-format on */

const ent_register ent_registers[] = {
	{"contacts", "Meetings, calls and mails with the partner.", "open done", "done", ENT_AUDIENCE_BOTH, contacts},
	{"claims", "What the partner says of itself or promises.", "open proven disproven withdrawn",
		"proven disproven withdrawn", ENT_AUDIENCE_BOTH, claims},
	{"commitments", "Promises of either side.", "open kept broken withdrawn", "kept broken withdrawn",
		ENT_AUDIENCE_BOTH, commitments},
	{"objectives", "What the partnership is to reach.", "open reached missed withdrawn", "reached missed withdrawn",
		ENT_AUDIENCE_BOTH, objectives},
	{"told", "What was shared with the partner already.", "given withdrawn", "withdrawn", ENT_AUDIENCE_BOTH, told},
	{"books", "Figures that the partner declared from its books.", "open withdrawn", "withdrawn", ENT_AUDIENCE_BOTH,
		books},
	{"agreements", "What was signed.", "open ended withdrawn", "ended withdrawn", ENT_AUDIENCE_BOTH, agreements},
	{"terms", "What was agreed, term by term: rates, tiers, how often to meet.", "open ended withdrawn",
		"ended withdrawn", ENT_AUDIENCE_BOTH, terms},
	{"offers", "Packages that either side put on the table.", "open accepted refused withdrawn",
		"refused accepted withdrawn", ENT_AUDIENCE_CONFIDENTIAL, offers},
	{"interests", "What each side of a deal wants, issue by issue, and how much it weighs.", "open withdrawn",
		"withdrawn", ENT_AUDIENCE_CONFIDENTIAL, interests},
	{"alternatives", "What each side does if there is no deal.", "open gone", "gone", ENT_AUDIENCE_CONFIDENTIAL,
		alternatives},
	{"issues", "What is wrong and has to be seen to.", "open closed withdrawn", "closed withdrawn", ENT_AUDIENCE_BOTH,
		issues},
	{"milestones", "What is to be reached by when.", "open reached missed withdrawn", "reached missed withdrawn",
		ENT_AUDIENCE_BOTH, milestones},
	{NULL, NULL, NULL, NULL, ENT_AUDIENCE_BOTH, NULL},
};
